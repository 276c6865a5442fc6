/// Reads `routing`.
struct RoutingChecker {
    let findings: Findings
    /// See ``BlueprintChecker/mode``.
    let mode: EnvironmentMode?

    func check(_ root: Fields) -> RoutingSpec {
        var spec = RoutingSpec()
        guard let fields = root.fields("routing", known: Grammar.routing.keys) else { return spec }
        spec.mode = fields.choice("mode")
        if let mode, let written = spec.mode, written != mode {
            findings.error(
                "mode_mismatch",
                "`routing.mode` is `\(written.rawValue)`, but this creates an environment of mode `\(mode.rawValue)`",
                at: fields.at("mode"), hint: "leave it out: the command fills it in")
        }
        spec.baselineId = fields.nonEmptyText("baselineId")
        if let overlayId = fields.text("overlayId") {
            _ = NameRule.check(overlayId, "overlay id", at: fields.at("overlayId"), findings)
            spec.overlayId = overlayId
        }
        if let name = fields.text("headerName"), let usable = headerName(name, at: fields.at("headerName")) {
            spec.headerName = usable
        }
        spec.propagateHeader = fields.boolean("propagateHeader") ?? true
        spec.onUnknownContext = fields.choice("onUnknownContext") ?? .reject
        spec.onLeak = fields.choice("onLeak") ?? .report
        spec.attribution = fields.choice("attribution") ?? .off
        spec.carry = fields.choice("carry") ?? .off
        return spec
    }

    private func headerName(_ name: String, at location: SourceLocation) -> String? {
        guard ContextHeaderName.isToken(name) else {
            findings.error(
                "invalid_name", "`\(shortened(name))` is no name for a header", at: location, hint: "such as x-msx-env")
            return nil
        }
        guard !ContextHeaderName.isTaken(name.lowercased()) else {
            findings.error(
                "reserved_name", "the header `\(shortened(name))` has a meaning of its own", at: location,
                hint: ContextHeaderName.hint)
            return nil
        }
        return name.lowercased()
    }
}
