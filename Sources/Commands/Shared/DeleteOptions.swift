import ArgumentParser

/// What the commands that delete have in common.
struct DeleteOptions: ParsableArguments {
    @Flag(inversion: .prefixedNo, help: "Watch until everything is gone.")
    var wait = true

    @Flag(name: .long, help: "Print what would be done, and do nothing.")
    var dryRun = false
}
