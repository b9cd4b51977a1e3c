#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of the small programs behind tools/demo and of the images that ship with the project."""
import collections
import csv
import gzip
import lzma
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml

from files import ROOT


def run(*arguments, text=""):
    return subprocess.run([sys.executable, *map(str, arguments)], input=text, capture_output=True, text=True)


class ReadCifar10(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)

    def test_planes_become_interleaved_pixels(self):
        planes = bytes([1] * 1024 + [2] * 1024 + [3] * 1023 + [9])
        (self.path / "test_batch.bin.xz").write_bytes(lzma.compress(bytes([8]) + planes))
        result = run(ROOT / "tools/read_cifar10", self.path, "test")
        self.assertEqual(result.stdout, "0,ship,\\x" + "010203" * 1023 + "010209\n")

    def test_batches_follow_each_other_up_to_the_number_of_images(self):
        for batch in range(1, 6):
            (self.path / f"data_batch_{batch}.bin").write_bytes((bytes([batch]) + bytes(3072)) * 2)
        result = run(ROOT / "tools/read_cifar10", self.path, "train", "--images", "5")
        self.assertEqual([line.split(",")[:2] for line in result.stdout.splitlines()],
                         [["0", "automobile"], ["1", "automobile"], ["2", "bird"], ["3", "bird"], ["4", "cat"]])

    def test_a_short_record_and_a_missing_file_are_errors(self):
        (self.path / "test_batch.bin").write_bytes(bytes(3072))
        self.assertIn("no multiple of 3073", run(ROOT / "tools/read_cifar10", self.path, "test").stderr)
        self.assertIn("no data_batch_1.bin", run(ROOT / "tools/read_cifar10", self.path, "train").stderr)


class DrawGuesses(unittest.TestCase):
    def test_svg_is_well_formed_and_names_every_guess(self):
        image = "\\x" + "00ff80" * 16
        lines = [f"7,cat & dog,{image},cat & dog,0.75", f"7,cat & dog,{image},ship,0.25"]
        with tempfile.TemporaryDirectory() as folder:
            output = pathlib.Path(folder, "guesses.svg")
            result = run(ROOT / "tools/draw_guesses", output, "--channels", "3", text="\n".join(lines) + "\n")
            self.assertEqual(result.returncode, 0, result.stderr)
            words = [node.text for node in xml.parse(output).iter() if node.text and node.text.strip()]
        self.assertEqual(words, ["cat & dog", "cat & dog 75.0 %", "ship 25.0 %"])
        self.assertIn("this is: cat & dog", result.stdout)


class FashionMnist(unittest.TestCase):
    def test_every_class_has_its_share_of_whole_images(self):
        csv.field_size_limit(1 << 20)
        for name, share in (("train", 800), ("test", 200)):
            with gzip.open(ROOT / f"data/fashion_mnist/{name}.csv.gz", "rt") as file:
                rows = list(csv.DictReader(file))
            counts = collections.Counter(row["class_name"] for row in rows)
            self.assertEqual((len(counts), set(counts.values())), (10, {share}))
            self.assertEqual({len(row["image"]) for row in rows}, {2 + 2 * 784})
            self.assertEqual(len({row["id"] for row in rows}), len(rows))


if __name__ == "__main__":
    unittest.main()
