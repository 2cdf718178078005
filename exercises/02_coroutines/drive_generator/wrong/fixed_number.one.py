def interview(steps, answer):
    try:
        return steps.send(answer(next(steps)))
    except StopIteration as end:
        return end.value
