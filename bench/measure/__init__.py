# SPDX-License-Identifier: Apache-2.0
"""The rows of bench/run: what is measured, on our side and on the peers'. Python's standard library alone."""
