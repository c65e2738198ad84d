"""What the functions of the cases do, which is next to nothing: what is measured is the way to them and back."""


def echo(payload):
    return payload


def nothing():
    return None


def double(number):
    return number * 2
