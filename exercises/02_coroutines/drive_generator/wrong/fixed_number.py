def interview(steps, answer):
    question = next(steps)
    question = steps.send(answer(question))
    return steps.send(answer(question))
