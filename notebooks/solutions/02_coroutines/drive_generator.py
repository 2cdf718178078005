def interview(steps, answer):
    """Drive the generator `steps` to its end: send it `answer(question)` for each question
    that it yields. Return what it returns."""
    try:
        question = next(steps)
        while True:
            question = steps.send(answer(question))
    except StopIteration as end:
        return end.value
