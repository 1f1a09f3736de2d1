"""Signals that hold their receivers weakly: a bound method lives as long as its object."""

import gc
import threading
import weakref

import pytest


def blinker_signal():
    blinker = pytest.importorskip("blinker")
    signal = blinker.Signal()
    return signal.connect, lambda: signal.send("x")


def django_signal():
    dispatch = pytest.importorskip("django.dispatch")
    signal = dispatch.Signal()
    return signal.connect, lambda: signal.send("x")


def pydispatch_signal():
    dispatcher = pytest.importorskip("pydispatch.dispatcher")
    sender = object()

    def connect(receiver):
        dispatcher.connect(receiver, signal="s", sender=sender)

    return connect, lambda: dispatcher.send("s", sender)


KINDS = [blinker_signal, django_signal, pydispatch_signal]


class Receiver:
    """Methods of primitives, made to look like a receiver's."""

    def __init__(self):
        self.called = threading.Event()

    def receive(self, *args, **kwargs):
        self.called.set()


@pytest.mark.parametrize("make", KINDS)
def test_a_method_that_uses_a_primitive(make):
    connect, send = make()
    receiver = Receiver()
    connect(receiver.receive)
    gc.collect()
    send()
    assert receiver.called.is_set()


class Flag(threading.Event):
    """An event whose `set` takes what a signal passes."""

    def set(self, *args, **kwargs):
        super().set()


@pytest.mark.parametrize("make", KINDS)
def test_the_method_of_a_subclass(make):
    connect, send = make()
    flag = Flag()
    connect(flag.set)
    gc.collect()
    send()
    assert flag.is_set()


@pytest.mark.parametrize(
    ("object", "name"),
    [
        (threading.Event(), "set"),
        (threading.Condition(), "notify_all"),
        (threading.Semaphore(), "release"),
        (threading.Barrier(1), "wait"),
        (threading.Thread(), "run"),
        (threading.Timer(9, print), "cancel"),
    ],
    ids=lambda value: getattr(type(value), "__name__", "") if not isinstance(value, str) else value,
)
def test_weak_method(object, name):
    method = weakref.WeakMethod(getattr(object, name))
    gc.collect()
    assert method() == getattr(object, name)


def test_event_set_as_a_receiver_without_arguments():
    """pydispatch passes a receiver only what it takes."""
    dispatcher = pytest.importorskip("pydispatch.dispatcher")
    event, sender = threading.Event(), object()
    dispatcher.connect(event.set, signal="s", sender=sender)
    gc.collect()
    dispatcher.send("s", sender)
    assert event.is_set()
