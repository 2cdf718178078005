def interview(steps, answer):
    try:
        question = next(steps)
        while question:
            question = steps.send(answer(question))
    except StopIteration as end:
        return end.value
