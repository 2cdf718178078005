def interview(steps, answer):
    for question in steps:
        steps.send(answer(question))
