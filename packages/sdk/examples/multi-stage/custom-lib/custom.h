/* The sum of the squares of so many numbers. */
double custom_sum_of_squares(const double *numbers, long count);
