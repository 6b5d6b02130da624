slope = 1
