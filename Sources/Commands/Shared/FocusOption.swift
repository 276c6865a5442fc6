import ArgumentParser

/// `--focus`, where a person says what will be tried.
struct FocusOption: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Start only what trying these needs, by comma; may be given again. The rest starts on its first request.",
            valueName: "services"))
    var focus: [String] = []

    /// Each once.
    var services: [String] {
        var seen: Set<String> = []
        return focus.flatMap { $0.split(separator: ",").map(String.init) }.filter { seen.insert($0).inserted }
    }
}
