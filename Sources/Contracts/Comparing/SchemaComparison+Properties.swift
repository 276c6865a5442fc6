extension SchemaComparison {
    /// What only the server sets (`readOnly`) is no part of a request, what only the caller sets (`writeOnly`) none of an
    /// answer.
    mutating func compareProperties(_ before: SchemaShape, _ after: SchemaShape, _ pair: Pair, _ step: Int) {
        for property in before.properties {
            if pair.isRequest ? property.isReadOnly : property.isWriteOnly { continue }
            guard let now = after.property(property.name) else {
                removed(property, after, pair, step)
                continue
            }
            if pair.isRequest ? now.isReadOnly : now.isWriteOnly { continue }
            follow(
                property.nodes, now.nodes, pair, step, "properties/\(JSONPointer.escaped(property.name))",
                ".\(property.name)", (property.spot, now.spot))
        }
        if pair.isRequest {
            compareRequired(before, after, step)
        } else {
            compareOptional(before, after, step)
        }
        compareAdditional(before, after, pair, step)
    }

    private mutating func removed(
        _ property: SchemaShape.Property, _ after: SchemaShape, _ pair: Pair, _ step: Int
    ) {
        let token = "properties/\(JSONPointer.escaped(property.name))"
        let name = shortened(property.name)
        guard pair.isRequest else {
            report(
                .responsePropertyRemoved, step, adding: token, "`\(name)` is no longer sent", property.spot, after.spot)
            return
        }
        if case .closed(let spot) = after.additional {
            report(
                .requestPropertyRemoved, severity: .error, step, adding: token,
                "`\(name)` is gone, and other properties are refused", property.spot, spot)
        } else {
            report(
                .requestPropertyRemoved, step, adding: token, "`\(name)` is no longer read", property.spot, after.spot)
        }
    }

    private mutating func compareRequired(_ before: SchemaShape, _ after: SchemaShape, _ step: Int) {
        for (name, spot) in after.required where !before.isRequired(name) {
            let now = after.property(name)
            if now?.isReadOnly == true { continue }
            let token = "properties/\(JSONPointer.escaped(name))"
            if let property = before.property(name) {
                report(
                    .requestPropertyBecameRequired, step, adding: token, "`\(shortened(name))` must now be sent",
                    property.spot, spot)
            } else {
                report(
                    .requiredRequestPropertyAdded, step, adding: token, "`\(shortened(name))` is new and must be sent",
                    before.spot, now?.spot ?? spot)
            }
        }
    }

    private mutating func compareOptional(_ before: SchemaShape, _ after: SchemaShape, _ step: Int) {
        for (name, spot) in before.required where !after.isRequired(name) {
            // One that is gone altogether has been told.
            guard let now = after.property(name) else { continue }
            if now.isWriteOnly || before.property(name)?.isWriteOnly == true { continue }
            report(
                .responsePropertyBecameOptional, step, adding: "properties/\(JSONPointer.escaped(name))",
                "`\(shortened(name))` was always sent and may now be missing", spot, now.spot)
        }
    }

    private mutating func compareAdditional(_ before: SchemaShape, _ after: SchemaShape, _ pair: Pair, _ step: Int) {
        switch (before.additional, after.additional) {
        case (.closed, _): break
        case (let theirs, .closed(let spot)):
            guard pair.isRequest, after.types.contains(.object) else { return }
            // Only a document that spoke of objects promised anything about their other properties.
            if case .open = theirs, before.properties.isEmpty, !before.types.isSubset(of: [.object, .null]) { return }
            report(
                .requestClosed, step, adding: "additionalProperties", "properties that are not listed are now refused",
                before.spot, spot)
        case (.nodes(let theirs), .nodes(let mine)):
            follow(theirs, mine, pair, step, "additionalProperties", "{}", (before.spot, after.spot))
        case (.open, .nodes), (.nodes, .open), (.open, .open): break
        }
    }
}
