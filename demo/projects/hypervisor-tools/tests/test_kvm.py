import pathlib
import unittest

from drivers import kvm

DATA = pathlib.Path(__file__).parent / "data"


class Kvm(unittest.TestCase):
    def memory(self, text):
        return kvm.parse(f"<domain><name>a</name>{text}</domain>").memory

    def test_example(self):
        guest = kvm.parse((DATA / "db.xml").read_text(encoding="utf-8"))
        self.assertEqual((guest.name, guest.driver, guest.memory, guest.vcpus), ("db", "kvm", 4096, 4))
        self.assertEqual(guest.disks, ("/srv/db.qcow2", "/dev/vg0/db-data"))

    def test_units(self):
        self.assertEqual(self.memory("<memory>524288</memory>"), 512)
        self.assertEqual(self.memory("<memory unit='MiB'>512</memory>"), 512)
        self.assertEqual(self.memory("<memory unit='G'>2</memory>"), 2048)

    def test_powers_of_ten_are_rounded_up(self):
        self.assertEqual(self.memory("<memory unit='GB'>1</memory>"), 954)

    def test_refusals(self):
        for text, reason in (
            ("<memory unit='pages'>1</memory>", "unknown unit"),
            ("", "no memory"),
        ):
            with self.subTest(text=text), self.assertRaisesRegex(ValueError, reason):
                self.memory(text)
        with self.assertRaisesRegex(ValueError, "not XML"):
            kvm.parse("name = 'a'")
