import API

/// Differences, as a person would write them down.
package struct DifferenceText {
    let palette: Palette

    package init(_ palette: Palette) { self.palette = palette }

    /// What an overlay changes, what follows from it, and what stays.
    package func overlay(_ entries: [DifferenceView]) -> String {
        var text = ""
        for entry in entries {
            switch entry.kind {
            case "changed": text += heading("~", entry.service, "changed", palette.yellow) + fields(entry.fields)
            case "added": text += heading("+", entry.service, "added", palette.green)
            case "removed": text += heading("-", entry.service, "removed; nobody answers for it here", palette.red)
            case "follows", "carried":
                text += heading("&", entry.service, entry.reasons.joined(separator: ", "), palette.cyan)
            default: break
            }
        }
        let inherited = entries.filter { $0.kind == "inherited" }.map(\.service)
        guard !inherited.isEmpty else { return text }
        let names = inherited.prefix(8).joined(separator: ", ") + (inherited.count > 8 ? ", …" : "")
        return text + palette.dim("= \(inherited.count) inherited: \(names)") + "\n"
    }

    package func spec(_ difference: SpecDifferenceView) -> String {
        var text = ""
        if !difference.environment.isEmpty {
            text += heading("~", "the environment itself", "", palette.yellow) + fields(difference.environment)
        }
        for service in difference.services {
            switch service.kind {
            case "added": text += heading("+", service.service, "added", palette.green)
            case "removed": text += heading("-", service.service, "removed", palette.red)
            default: text += heading("~", service.service, "changed", palette.yellow)
            }
            if service.kind != "removed" { text += fields(service.fields, isNew: service.kind == "added") }
        }
        return text
    }

    private func heading(_ mark: String, _ name: String, _ what: String, _ colour: (String) -> String) -> String {
        colour("\(mark) \(name.visible)") + (what.isEmpty ? "" : "  \(what.visible)") + "\n"
    }

    private func fields(_ changes: [FieldChangeView], isNew: Bool = false) -> String {
        let width = changes.map { DisplayWidth.of($0.path.visible) }.max() ?? 0
        return changes.map { change in
            let path = DisplayWidth.padded(change.path.visible, to: width)
            return "    \(path)  \(isNew ? (change.new ?? "").visible : written(change))\n"
        }.joined()
    }

    private func written(_ change: FieldChangeView) -> String {
        switch (change.old, change.new) {
        case (let old?, let new?): "\(palette.red(old.visible)) → \(palette.green(new.visible))"
        case (let old?, nil): "\(palette.red(old.visible)) → (none)"
        case (nil, let new?): "(none) → \(palette.green(new.visible))"
        case (nil, nil): ""
        }
    }
}
