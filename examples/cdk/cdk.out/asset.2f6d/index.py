import os


def handle(event, context):
    return {"queue": os.environ["QUEUE_URL"]}
