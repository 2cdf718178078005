def interview(steps, answer):
    question = None
    try:
        question = next(steps)
        while question is not None:
            question = steps.send(answer(question))
    except StopIteration as end:
        return end.value
