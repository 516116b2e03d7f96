"""Made-up monthly deliveries of The Movies Dataset, for trials, tests and measurements at any size.

All files of the data set, in its proportions. Every month is the whole history again, with 0.5 % new movies and
ratings, other popularity and votes for 10 % of the old movies, other money, keywords and crew for 1 %, and other stars
for 1 % of the old ratings. Odd on purpose: every kind of defect that the platform reports is in every month, in known
numbers, so that a run can be checked exactly against the `SampleMonth` that describes the file.

The same arguments give the same bytes, with one version of numpy on one kind of processor. Genres, countries and
languages are those of TMDB; titles, people, companies, users and texts are invented.

A file of the data set has a module of its name. `defects` works faults into its records by one table for each file,
`draws` draws, `vocabulary` holds the words, `writer` writes a file and `months` all of them.
"""

from movies_platform.sample.months import SampleMonth, write_sample

__all__ = ["SampleMonth", "write_sample"]
