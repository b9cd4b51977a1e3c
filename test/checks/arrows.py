#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the one-way arrows between the rooms: who includes whose headers, and which library lives in which room."""
import re
import sys

from files import project_files, report

# A room may include its own headers, the engine's public face (include/modelhop) and the rooms named here.
ROOMS = {
    "include": set(),
    "wire": set(),
    "spec": set(),
    "selection": set(),
    "engine": {"spec"},
    "trainer": {"engine", "wire", "spec"},
    "server": {"wire", "selection", "spec"},
}
# A library's headers may be included in these rooms only.
LIBRARIES = [
    ("libtorch", re.compile(r"(torch|ATen|c10|caffe2|at)/"), {"engine", "trainer"}),
    ("PostgreSQL", re.compile(r"(postgres|fmgr|libpq|executor|access|catalog|utils|nodes|storage|commands|miscadmin|funcapi)"
                              r"(/[\w/]+)?\.h$"), {"server"}),
    ("FlatBuffers", re.compile(r"(flatbuffers/|message_generated)"), {"wire", "trainer", "server"}),
]
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


def room_of(path):
    parts = path.split("/")
    if parts[0] == "include":
        return "include"
    if parts[0] == "src" and len(parts) > 2 and parts[1] in ROOMS:
        return parts[1]
    return None


def main():
    findings, count = [], 0
    for path, text in project_files():
        room = room_of(path)
        if room is None or not path.endswith((".hpp", ".cpp", ".h", ".cu")):
            continue
        count += 1
        for header in INCLUDE.findall(text):
            target = header.split("/")[0]
            if target in ROOMS and target not in ROOMS[room] | {room}:
                findings.append(f"{path}: {room} must not include {header}")
            for library, pattern, rooms in LIBRARIES:
                if pattern.match(header) and target not in ROOMS and room not in rooms:
                    findings.append(f"{path}: {library} must not be seen in {room} ({header})")
            if header == "postgres.h" and path != "src/server/postgres.hpp":
                findings.append(f"{path}: postgres.h is included by src/server/postgres.hpp only")
    if count == 0:
        findings.append("no source files found")
    return report(findings, f"{count} files, every arrow points the right way")


if __name__ == "__main__":
    sys.exit(main())
