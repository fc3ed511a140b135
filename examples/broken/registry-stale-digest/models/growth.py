"""Weekly cases that grow from one."""

import random


class Growth:
    def __init__(self, params):
        self.rate = params.get("rate", 0.12)

    def weekly(self, seed):
        generator = random.Random(seed)
        return [round((1 + self.rate) ** week + generator.random()) for week in range(10)]
