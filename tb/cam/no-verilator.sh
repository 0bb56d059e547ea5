#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Stands in for the CAM's bench where Verilator is missing, so that its absence is seen.
echo 'verilator was not found by configure: the CAM was not compared with the C core'
exit 77
