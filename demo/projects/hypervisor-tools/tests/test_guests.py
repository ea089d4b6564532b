import pathlib
import subprocess
import unittest

from drivers.guest import Guest, total

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Guests(unittest.TestCase):
    def run_guests(self, *arguments):
        return subprocess.run(
            [ROOT / "bin/hv-guests", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )

    def test_total(self):
        both = [Guest("a", "xen", 100, 1), Guest("b", "kvm", 200, 2)]
        self.assertEqual((total(both).memory, total(both).vcpus), (300, 3))

    def test_one_disk_for_two_guests_is_refused(self):
        with self.assertRaisesRegex(ValueError, "same disk twice: /dev/sda"):
            total([Guest("a", "xen", 1, disks=("/dev/sda",)), Guest("b", "xen", 1, disks=("/dev/sda",))])

    def test_command(self):
        answer = self.run_guests("tests/data/web.cfg", "tests/data/db.xml", "--host-memory", "8192")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertIn("6        6144  (fits into 8192)", answer.stdout)

    def test_command_says_when_it_does_not_fit(self):
        answer = self.run_guests("tests/data/web.cfg", "--host-memory", "1024")
        self.assertEqual(answer.returncode, 1)
        self.assertIn("does not fit into 1024", answer.stdout)

    def test_command_names_the_file_it_cannot_read(self):
        answer = self.run_guests("tests/data/none.cfg")
        self.assertEqual(answer.returncode, 2)
        self.assertIn("tests/data/none.cfg", answer.stderr)
