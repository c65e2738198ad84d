"""What comes of a call is known from its input alone."""

import time


def square(number):
    time.sleep(0.01)
    if number % 50 == 0:
        raise ValueError("no square of %d" % number)
    return {"of": number, "is": number * number}
