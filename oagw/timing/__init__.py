"""When things happen: the timetable of streams, and a clock that is moved by hand."""
