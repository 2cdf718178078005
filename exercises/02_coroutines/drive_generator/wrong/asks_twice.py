def interview(steps, answer):
    question = next(steps)
    try:
        while True:
            answer(question)
            question = steps.send(answer(question))
    except StopIteration as end:
        return end.value
