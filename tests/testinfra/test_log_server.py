"""The log server as its clients meet it: uploads over SSH with the key, readers over HTTPS."""

import gzip
import http.client
import io
import json
import re
import ssl
import subprocess
import tarfile
import time
import uuid

import pytest

from tests.testinfra import nginx
from tests.testinfra.conftest import LAB, ROOT

GROUP = "log_server"
USER = "xenci-logs"
LOGS = "/srv/xenci-logs"
KEY = ROOT / ".lab" / LAB / "keys/log_upload"


def archive(files):
    """A tar stream of files: name and content, or name and (type, target) for what is no file."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.mtime = 1_700_000_000
            if isinstance(content, tuple):
                member.type, member.linkname = content
                tar.addfile(member)
            else:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


class Logs:
    """A client with the upload key, and a reader who trusts the site's CA."""

    def __init__(self, host, address):
        self.host = host
        self.address = address
        self.trust = ssl.create_default_context(cadata=host.file("/etc/xenci/pki/ca.crt").content_string)

    def ssh(self, *arguments, options=()):
        known = ROOT / ".lab" / LAB / "known_hosts.d" / self.address
        return [
            *("ssh", "-F", "none", "-i", str(KEY), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"),
            *("-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes"),
            *options,
            *(f"{USER}@{self.address}", *arguments),
        ]

    def command(self, *arguments, data=b"", options=()):
        done = subprocess.run(
            self.ssh(*arguments, options=options), input=data, capture_output=True, timeout=60
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def upload(self, path, files):
        """Upload; return the exit status and the answer, which is one line of JSON and nothing else."""
        data = files if isinstance(files, bytes) else archive(files)
        status, output, errors = self.command("upload " + path, data=data)
        assert output.count("\n") == 1, errors
        return status, json.loads(output)

    def get(self, path, method="GET", **headers):
        """Ask for exactly this path, as no client library would normalise it."""
        connection = http.client.HTTPSConnection(self.address, context=self.trust, timeout=10)
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer, body


@pytest.fixture(scope="module")
def logs(host, host_address):
    return Logs(host, host_address)


@pytest.fixture
def build():
    """The path of a build that no test has used."""
    return f"34/1234/1/check/a-job/{uuid.uuid4().hex[:7]}"


def test_upload_and_read(logs, build):
    files = {"./job-output.txt": "größe\n".encode(), "./node/tests.txt": b"x" * 12345}
    status, answer = logs.upload(build, files)
    assert (status, answer) == (0, {"url": f"https://{logs.address}/{build}/"})
    page, body = logs.get(f"/{build}/job-output.txt")
    assert page.status == 200
    assert page.getheader("Content-Type") == "text/plain; charset=utf-8"
    assert body.decode() == "größe\n"
    # The index: sizes, and times in UTC (1700000000 is 2023-11-14 22:13).
    _, index = logs.get(f"/{build}/node/")
    assert re.search(rb'<a href="tests.txt">tests.txt</a> +14-Nov-2023 22:13 +12345\b', index)
    assert logs.get(f"/{build}/node/", "HEAD")[0].status == 200


@pytest.mark.usefixtures("ssh_closed")
def test_upload_where_ssh_is_closed(logs, build):
    assert logs.upload(build, {"a.txt": b"a"})[0] == 0


def test_no_script_runs(logs, build):
    page = b"<html><script>alert(1)</script></html>"
    script = "<img src=x onerror=alert(1)>.txt"
    assert (
        logs.upload(
            build,
            {
                "a.html": page,
                "b.svg": page,
                "c.js": page,
                "d": page,
                script: b"",
                "e.html.gz": gzip.compress(page),
            },
        )[0]
        == 0
    )
    for name in ("a.html", "b.svg", "c.js", "d", "e.html.gz", "e.html"):
        answer, body = logs.get(f"/{build}/{name}", Accept_Encoding="gzip")
        assert answer.status == 200, name
        assert answer.getheader("Content-Type") == "text/plain; charset=utf-8", name
        assert (gzip.decompress(body) if answer.getheader("Content-Encoding") else body) == page
    _, index = logs.get(f"/{build}/")
    assert b"<img" not in index
    for path in (f"/{build}/a.html", f"/{build}/e.html.gz", f"/{build}/", f"/{build}/none"):
        answer, _ = logs.get(path)
        policy = answer.getheader("Content-Security-Policy")
        assert "sandbox;" in policy, path
        assert "default-src 'none'" in policy
        assert "script" not in policy
        assert answer.getheader("X-Content-Type-Options") == "nosniff"
        assert answer.getheader("Set-Cookie") is None


def test_compressed_files_are_readable(logs, build):
    text = b"a line\n" * 1000
    assert logs.upload(build, {"long.txt.gz": gzip.compress(text)})[0] == 0
    for name in ("long.txt.gz", "long.txt"):
        answer, body = logs.get(f"/{build}/{name}", Accept_Encoding="gzip")
        assert answer.getheader("Content-Encoding") == "gzip", name
        assert gzip.decompress(body) == text
    answer, body = logs.get(f"/{build}/long.txt")
    assert answer.getheader("Content-Encoding") is None
    assert body == text


HOSTILE = {
    "parent": {"../../../../../other/0000000/a": b"x"},
    "absolute": {"/tmp/xenci-escaped": b"x"},
    "symlink": {"a": (tarfile.SYMTYPE, "/etc/passwd")},
    "hard link": {"b": b"x", "a": (tarfile.LNKTYPE, "b")},
    "device": {"a": (tarfile.CHRTYPE, "")},
    "cut off": archive({"a": b"x" * 5000})[:3000],
    "not an archive": b"hello",
}


@pytest.mark.parametrize("files", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_archive_is_refused(logs, build, files):
    status, answer = logs.upload(build, files)
    assert status == 1
    assert list(answer) == ["error"]
    assert logs.get(f"/{build}/")[0].status == 404
    assert not logs.host.file("/tmp/xenci-escaped").exists
    assert logs.host.check_output(f"ls -A {LOGS}/.incoming") == ""


def test_hostile_path_is_refused(logs):
    for path in (
        "../../../etc",
        "/etc/x",
        ".incoming/x",
        "34/1234/1/check/../../abc1234",
        "34/1234/1/check/a-job",
    ):
        status, answer = logs.upload(path, {"a": b"x"})
        assert (status, list(answer)) == (1, ["error"]), path


def test_another_builds_folder_is_refused(logs, build):
    assert logs.upload(build, {"a": b"first"})[0] == 0
    assert logs.upload(build, {"a": b"second"}) == (1, {"error": "there are logs of this build already"})
    assert logs.get(f"/{build}/a")[1] == b"first"


def test_the_key_can_do_nothing_else(logs):
    for command in (
        "id",
        "cat /etc/passwd",
        "sh -i",
        "rsync --server . /",
        "scp -t /tmp",
        "upload x; id",
        "upload $(id)",
    ):
        status, output, _ = logs.command(command)
        assert status == 1, command
        assert "uid=" not in output
        assert "error" in json.loads(output)
    # Neither a shell, nor a terminal, nor sftp.
    status, output, _ = logs.command()
    assert (status, list(json.loads(output))) == (1, ["error"])
    status, _, errors = logs.command("upload x", options=["-tt"])
    assert status != 0
    assert "PTY allocation request failed" in errors
    sftp = subprocess.run(
        ["sftp", "-b", "-", *logs.ssh()[1:]], input=b"ls\n", capture_output=True, timeout=60, check=False
    )
    assert sftp.returncode != 0
    assert b"sftp>" not in sftp.stdout or b"etc" not in sftp.stdout


def test_the_key_forwards_nothing(logs):
    status, _, errors = logs.command(options=["-W", "127.0.0.1:22"])
    assert status != 0
    assert "administratively prohibited" in errors
    status, _, errors = logs.command(
        "upload x", options=["-o", "ExitOnForwardFailure=yes", "-R", "8098:127.0.0.1:22"]
    )
    assert status == 255
    assert "forwarding failed" in errors


def test_the_key_opens_nothing_from_elsewhere(logs):
    """The same key from the log server itself, which is no executor."""
    key = KEY.read_text()
    logs.host.check_output(f"install -m 0600 /dev/stdin /root/upload-key <<'END'\n{key}END")
    answer = logs.host.run(
        "ssh -i /root/upload-key -o BatchMode=yes -o StrictHostKeyChecking=accept-new "
        f"{USER}@{logs.address} upload x || exit 5"
    )
    logs.host.check_output("rm /root/upload-key")
    assert answer.rc == 5
    assert "Permission denied" in answer.stderr


def test_nothing_outside_the_logs_is_shown(logs, build):
    assert logs.upload(build, {"a": b"x"})[0] == 0
    for path in (
        "/../etc/passwd", "/%2e%2e/etc/passwd", "/..%2fetc/passwd", "//etc/passwd",
        f"/{build}/../../../../../../../etc/passwd",
        "/.incoming/", "/%2eincoming/", "//.incoming/", f"/{build}/..%5c",
    ):  # fmt: skip
        answer, body = logs.get(path)
        assert answer.status in (400, 403, 404), path
        assert b"root:" not in body
    # A link that somebody made by hand leads nowhere.
    logs.host.check_output(f"ln -s /etc {LOGS}/{build}/link; ln -s /etc/passwd {LOGS}/{build}/passwd")
    for path in ("link/passwd", "link/", "passwd"):
        answer, body = logs.get(f"/{build}/{path}")
        assert answer.status in (403, 404), path
        assert b"root:" not in body
    for method in ("POST", "PUT", "DELETE"):
        assert logs.get(f"/{build}/a", method)[0].status in (403, 405)


def test_only_nginx_reads_the_files(logs, build):
    assert logs.upload(build, {"a": b"x"})[0] == 0
    assert (
        logs.host.run(f"setpriv --reuid=nobody --regid=nogroup --clear-groups cat {LOGS}/{build}/a").rc != 0
    )
    assert (
        logs.host.run(f"setpriv --reuid=www-data --regid=www-data --init-groups touch {LOGS}/{build}/b").rc
        != 0
    )


def test_full_disk_leaves_old_logs_whole(logs, build):
    """A real full disk, first up to the reserve, then to the last byte."""
    other = f"35/1235/1/check/a-job/{build[-7:]}"
    receiver = "/opt/xenci-logs/bin/xenci-log-receive"
    last = (
        f"truncate -s 20M /tmp/large && tar -C /tmp -cf - large | SSH_ORIGINAL_COMMAND='upload {other}' "
        f"setpriv --reuid={USER} --regid={USER} --clear-groups "
        f"{receiver} receive --root {LOGS} --url https://x/ --reserve-mib 0"
    )
    logs.host.check_output(
        f"mount -t tmpfs -o size=80m,uid=$(id -u {USER}),gid=$(id -g {USER}),mode=750 tmpfs {LOGS}"
    )
    try:
        assert logs.upload(build, {"a": b"x" * (4 << 20)})[0] == 0
        assert logs.upload(other, {"a": b"y" * (30 << 20)}) == (1, {"error": "the log server's disk is full"})
        logs.host.check_output(f"mount -o remount,size=16m {LOGS}")
        answer = logs.host.run(last)
        assert (answer.rc, json.loads(answer.stdout)) == (1, {"error": "the log server's disk is full"})
        assert logs.host.check_output(f"find {LOGS} -type f -printf '%P %s\\n'") == f"{build}/a {4 << 20}"
    finally:
        logs.host.check_output(f"umount -l {LOGS}; rm -f /tmp/large")


def wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("victim", ["client", "receiver"])
def test_upload_that_dies_is_never_seen(logs, build, victim):
    process = subprocess.Popen(
        logs.ssh("upload " + build), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdin.write(archive({"a": b"x" * 1000, "b": b"y" * (1 << 20)})[: 1 << 19])
    process.stdin.flush()
    wait_for(lambda: logs.host.check_output(f"find {LOGS}/.incoming -type f"))
    assert logs.get(f"/{build}/")[0].status == 404
    if victim == "client":
        process.kill()
        process.wait()
        wait_for(lambda: not logs.host.check_output(f"find {LOGS}/.incoming -mindepth 1"))
    else:
        logs.host.check_output(f"pkill -KILL -u {USER} -f 'xenci-log-receive receive'")
        process.communicate(timeout=30)
        assert process.returncode != 0
        # What it left is removed with the old logs.
        logs.host.check_output(f"touch -d '2 days ago' {LOGS}/.incoming/*")
        logs.host.check_output("systemctl start xenci-log-expire.service")
        assert logs.host.check_output(f"ls -A {LOGS}/.incoming") == ""
    assert logs.get(f"/{build}/")[0].status == 404
    assert logs.upload(build, {"a": b"again"})[0] == 0


def test_old_logs_are_removed(logs, build):
    old = f"36/1236/1/check/a-job/{build[-7:]}"
    for path in (build, old):
        assert logs.upload(path, {"a/b": b"x"})[0] == 0
    logs.host.check_output(f"touch -d '31 days ago' {LOGS}/{build}; touch -d '33 days ago' {LOGS}/{old}")
    logs.host.check_output("systemctl start xenci-log-expire.service")
    assert logs.get(f"/{old}/a/b")[0].status == 404
    assert not logs.host.file(f"{LOGS}/36/1236").exists
    assert logs.get(f"/{build}/a/b")[1] == b"x"
    assert logs.host.service("xenci-log-expire.timer").is_running
    assert logs.host.service("xenci-log-expire.timer").is_enabled


def test_certificate_is_the_sites(logs):
    stranger = ssl.create_default_context()
    with pytest.raises(ssl.SSLCertVerificationError):
        http.client.HTTPSConnection(logs.address, context=stranger, timeout=10).request("GET", "/")
    assert logs.get("/")[0].status == 200


def test_units_are_hardened(logs):
    nginx.is_hardened(logs.host)
    report = logs.host.run("systemd-analyze security --no-pager xenci-log-expire.service").stdout
    exposure = float(re.search(r"Overall exposure level[^:]*: ([0-9.]+)", report)[1])
    assert exposure <= 2.0, report
