import pathlib
import unittest

from drivers import xen

DATA = pathlib.Path(__file__).parent / "data"


class Xen(unittest.TestCase):
    def test_example(self):
        guest = xen.parse((DATA / "web.cfg").read_text(encoding="utf-8"))
        self.assertEqual((guest.name, guest.driver, guest.memory, guest.vcpus), ("web", "xen", 2048, 2))
        self.assertEqual(guest.disks, ("/srv/web.qcow2", "/dev/vg0/web-data"))

    def test_hash_inside_quotes_is_no_comment(self):
        settings = xen.read("extra = \"console=hvc0 # loud\"  # a comment\nname = 'a#b'")
        self.assertEqual(settings, {"extra": "console=hvc0 # loud", "name": "a#b"})

    def test_vcpus_are_one_unless_said(self):
        self.assertEqual(xen.parse("name = 'small'\nmemory = 128").vcpus, 1)

    def test_list_over_lines(self):
        self.assertEqual(
            xen.read("disk = [ 'a,raw,xvda',\n 'b,raw,xvdb' ]"), {"disk": ["a,raw,xvda", "b,raw,xvdb"]}
        )

    def test_refusals(self):
        for text, reason in (
            ("memory = 1", "no name"),
            ("name = 'a'", "not a number of MiB"),
            ("name = 'a'\nmemory = lots", "line 2"),
            ("name = 'a'\nmemory = 0", "has no memory"),
            ("name = 'a'\ndisk = [ 'b',", "never ends"),
        ):
            with self.subTest(text=text), self.assertRaisesRegex(ValueError, reason):
                xen.parse(text)
