def interview(steps, answer):
    result = []

    def driver():
        result.append((yield from steps))

    d = driver()
    try:
        value = None
        while True:
            value = answer(d.send(value))
    except StopIteration:
        pass
    return result[0]
