"""Linearizability: can what threads saw be explained by one order of their calls?"""
