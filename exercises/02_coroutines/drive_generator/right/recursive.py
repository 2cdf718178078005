def interview(steps, answer, value=None):
    try:
        question = steps.send(value)
    except StopIteration as end:
        return end.value
    return interview(steps, answer, answer(question))
