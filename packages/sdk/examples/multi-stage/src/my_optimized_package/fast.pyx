import numpy

cdef extern from "custom.h":
    double custom_sum_of_squares(const double *numbers, long count)

def fast_compute(data):
    cdef double[::1] numbers = numpy.ascontiguousarray(data, dtype=float)
    return custom_sum_of_squares(&numbers[0], len(numbers)) if len(numbers) else 0.0
