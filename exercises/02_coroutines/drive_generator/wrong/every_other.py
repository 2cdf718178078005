def interview(steps, answer):
    try:
        while True:
            question = next(steps)
            steps.send(answer(question))
    except StopIteration as end:
        return end.value
