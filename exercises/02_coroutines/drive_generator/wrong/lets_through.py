def interview(steps, answer):
    question = next(steps)
    while True:
        question = steps.send(answer(question))
