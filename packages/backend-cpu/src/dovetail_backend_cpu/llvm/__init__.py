"""LLVM assembly as text: functions, modules, the machine they are made for."""
