"""A pool of two processes that stays: for each line with a number, so many inputs go through it, and the line is answered with the milliseconds."""

import json
import sys
import time
from multiprocessing import Pool


def work(text):
    return json.dumps(json.loads(text) * 2)


def main():
    with Pool(2) as pool:
        for line in sys.stdin:
            count = int(line)
            started = time.perf_counter()
            results = [json.loads(text) for text in pool.imap(work, (json.dumps(number) for number in range(count)))]
            milliseconds = (time.perf_counter() - started) * 1000
            assert results == [number * 2 for number in range(count)]
            print(milliseconds, flush=True)


if __name__ == "__main__":
    main()
