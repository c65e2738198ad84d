#include "custom.h"

double custom_sum_of_squares(const double *numbers, long count) {
  double sum = 0;
  for (long i = 0; i < count; i++) sum += numbers[i] * numbers[i];
  return sum;
}
