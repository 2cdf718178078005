def interview(steps, answer):
    for question in steps:
        answer(question)
