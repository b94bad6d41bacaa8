"""`python own_drill.py drill …`: the `outlast` command, whose drill is shortened. Everything else is as a user has it."""

from functools import partial

from outlast.cli import main
from outlast.drill import main as drill
from outlast.drill import scale

if __name__ == "__main__":
    vars(drill)["DrillOptions"] = partial(drill.DrillOptions, pace=scale.SHORT)
    main()
