def interview(steps, answer):
    result = yield from steps
    return result
