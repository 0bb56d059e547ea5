# SPDX-License-Identifier: Apache-2.0
about="maps, writes and unmaps buffers over and over: many guest page-table writes, little else"
references=22
program=(./churn 1500)
