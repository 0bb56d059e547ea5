# SPDX-License-Identifier: Apache-2.0
about="a server with 4 MB of data that forks a child for each of 60 requests: copy-on-write"
references=14
program=(./forks 4 60)
