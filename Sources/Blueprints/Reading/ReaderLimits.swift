/// What a Blueprint file may be at most. Past a limit the file is refused at the place where it is reached.
package struct ReaderLimits: Sendable {
    /// Of the file.
    package var bytes = 1 << 20
    /// Maps and lists inside each other.
    package var depth = 64
    /// Keys and values, aliases counted as often as they are used.
    package var nodes = 200_000
    /// Text of all scalars, aliases counted as often as they are used.
    package var textBytes = 8 << 20
    /// Lines that begin with `%`, as `%YAML` and `%TAG` do.
    package var directives = 100

    package init() {}
}
