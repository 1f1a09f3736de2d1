class NothingToDraw(Exception):
    pass
