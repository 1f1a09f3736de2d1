"""A celery application on folders: broker and results need nothing that runs."""

import os
import threading

from celery import Celery

folder = os.environ["CELERY_FOLDER"]
for name in ("queue", "processed", "control", "results"):
    os.makedirs(os.path.join(folder, name), exist_ok=True)
app = Celery("celery_app", broker="filesystem://", backend=f"file://{folder}/results")
app.conf.broker_transport_options = {
    "data_folder_in": f"{folder}/queue",
    "data_folder_out": f"{folder}/queue",
    "processed_folder": f"{folder}/processed",
    "control_folder": f"{folder}/control",
}
app.conf.worker_hijack_root_logger = False


@app.task
def add(a, b):
    lock = threading.Lock()
    with lock:
        return a + b


@app.task
def fail():
    raise ValueError("as asked")
