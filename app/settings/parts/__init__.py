"""The settings of each part of the system, a class each; `Settings` is all of them together.

redis     where the store is, and how it is spoken to
receiver  who takes the webhooks
worker    who delivers them, and how long it tries
keeping   what is remembered, for how long, and how much room it takes
console   the operators' pages, and who may log in
local     what `sluice up` starts on one machine
values    kinds of values that several have
"""
