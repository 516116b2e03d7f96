"""Made-up monthly deliveries of The Movies Dataset, for trials, tests and measurements at any size.

Every month is the whole history again, with 0.5 % new movies, other popularity and votes for 10 % of the old ones and
other money for 1 %. Odd on purpose: every kind of defect that the platform reports is in every month, in known
numbers, so that a run can be checked exactly against the `SampleMonth` that describes the file.

The same arguments give the same bytes, with one version of numpy on one kind of processor. Genres, countries and
languages are those of TMDB; titles, people, companies and texts are invented.

A file of the data set has a module of its name (`movies_metadata`), `defects` works faults into its records,
`vocabulary` holds the words, and `months` writes it all.
"""

from movies_platform.sample.months import SampleMonth, write_sample

__all__ = ["SampleMonth", "write_sample"]
