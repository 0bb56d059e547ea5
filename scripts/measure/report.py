# SPDX-License-Identifier: Apache-2.0
"""What is written from the results of each experiment. It follows from the figures alone."""
import crossover
import merging
import prices
import programs

# {experiment: function(files, results, architecture) that gives {marker: text}}
REPORTS = {"programs": programs.report, "map": crossover.report, "prices": prices.report,
           "merging": merging.report}
