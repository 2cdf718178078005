def join(futures):
    results = []
    for f in futures:
        results.append((yield f))
    return results
