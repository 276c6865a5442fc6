import API

/// Layers as text.
package enum LayerTables {
    package static func list(_ layers: [LayerView], now: Int64 = Timestamp.now) -> String {
        Table(
            ["NAME", "REVISION", "EXTENDS", "AGE", "BY", "DESCRIPTION"],
            layers.map { layer in
                [
                    layer.name, String(layer.revision), layer.extends.joined(separator: ", "),
                    Timestamp.age(layer.createdAt, now: now), layer.actor, layer.description ?? "",
                ]
            }
        ).rendered()
    }

    package static func detail(_ layer: LayerView, now: Int64 = Timestamp.now) -> String {
        let lines: [(String, String?)] = [
            ("name", layer.name), ("revision", String(layer.revision)), ("description", layer.description),
            ("extends", layer.extends.isEmpty ? nil : layer.extends.joined(separator: ", ")),
            ("file", layer.file.hasPrefix("/") ? layer.file : "\(layer.file) (in \(layer.folder))"),
            ("created", "\(layer.createdAt) (\(Timestamp.age(layer.createdAt, now: now)) ago) by \(layer.actor)"),
            ("used by", (layer.usedBy ?? []).isEmpty ? "nobody" : (layer.usedBy ?? []).joined(separator: ", ")),
        ]
        let head = lines.compactMap { name, value in
            value.map { DisplayWidth.padded(name, to: 12) + $0.visible + "\n" }
        }.joined()
        let text = (layer.blueprint ?? "").split(separator: "\n", omittingEmptySubsequences: false)
            .map { String($0).visible }.joined(separator: "\n")
        return head + "\n" + text + (text.hasSuffix("\n") ? "" : "\n")
    }
}
