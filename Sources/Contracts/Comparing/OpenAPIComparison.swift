/// Compares the operations of two OpenAPI documents.
struct OpenAPIComparison {
    let old: OpenAPIModel
    let new: OpenAPIModel
    let files: (old: String, new: String)
    var schemas: SchemaComparison
    private var found: [ContractChange] = []

    init(old: OpenAPIModel, new: OpenAPIModel, files: (String, String)) {
        self.old = old
        self.new = new
        self.files = files
        schemas = SchemaComparison(old: SchemaStore(old), new: SchemaStore(new), files: files)
    }

    mutating func changes() -> [ContractChange] {
        if old.basePath != new.basePath {
            report(
                .basePathChanged, "#/basePath",
                "the base path was `\(shortened(old.basePath))` and is now `\(shortened(new.basePath))`",
                old.basePathSpot, new.basePathSpot)
        }
        var after: [String: OpenAPIModel.Operation] = [:]
        var paths: [String: Spot] = [:]
        for operation in new.operations {
            after[operation.key] = operation
            if paths[operation.pathKey] == nil { paths[operation.pathKey] = operation.spot }
        }
        let end = new.root.entry("paths")?.spot ?? new.root.spot
        for operation in old.operations {
            if let now = after[operation.key] {
                compare(operation, now)
            } else {
                let isPathLeft = paths[operation.pathKey] != nil
                report(
                    isPathLeft ? .operationRemoved : .pathRemoved, operation.pointer,
                    "\(operation.name) is gone\(isPathLeft ? "" : ", with its path")", operation.spot,
                    paths[operation.pathKey] ?? end)
            }
        }
        var all = found + schemas.changes
        if !schemas.isComplete || all.count > ContractLimits.changes {
            all = Array(all.prefix(ContractLimits.changes))
            all.append(
                ContractChange(
                    rule: .comparisonIncomplete, path: "#", message: "the documents are too large to be compared whole",
                    mine: Spot.start.place(in: files.new), theirs: Spot.start.place(in: files.old)))
        }
        return all
    }

    private mutating func compare(_ before: OpenAPIModel.Operation, _ after: OpenAPIModel.Operation) {
        if before.isOpenToAll, !after.isOpenToAll {
            report(
                .securityRequired, "\(before.pointer)/security", "\(before.name) now asks for credentials",
                before.securitySpot, after.securitySpot)
        }
        compareParameters(before, after)
        compareBodies(before, after)
        compareResponses(before, after)
    }

    private mutating func compareParameters(_ before: OpenAPIModel.Operation, _ after: OpenAPIModel.Operation) {
        for parameter in before.parameters {
            let shown = "\(before.name), the \(parameter.location) parameter `\(shortened(parameter.name))`"
            guard let now = after.parameters.first(where: { $0.key == parameter.key }) else {
                // The path says which of them there are.
                if parameter.location == "path" { continue }
                report(.parameterRemoved, parameter.pointer, "\(shown) is no longer read", parameter.spot, after.spot)
                continue
            }
            if !parameter.isRequired, now.isRequired {
                report(
                    .parameterBecameRequired, parameter.pointer, "\(shown) must now be sent", parameter.spot, now.spot)
            }
            if parameter.style != now.style {
                report(
                    .parameterStyleChanged, parameter.pointer,
                    "\(shown) was written as `\(parameter.style)` and is now written as `\(now.style)`", parameter.spot,
                    now.spot)
            }
            schemas.compare(
                parameter.schema, now.schema, isRequest: true, pointer: parameter.pointer + "/schema", shown: shown,
                spots: (parameter.spot, now.spot))
        }
        for parameter in after.parameters where parameter.isRequired && parameter.location != "path" {
            guard !before.parameters.contains(where: { $0.key == parameter.key }) else { continue }
            report(
                .requiredParameterAdded, before.pointer + "/parameters",
                "\(before.name) now needs the \(parameter.location) parameter `\(shortened(parameter.name))`",
                before.spot,
                parameter.spot)
        }
    }

    private mutating func compareBodies(_ before: OpenAPIModel.Operation, _ after: OpenAPIModel.Operation) {
        let pointer = before.pointer + "/requestBody"
        switch (before.body, after.body) {
        case (nil, nil): break
        case (nil, let body?):
            guard body.isRequired else { return }
            report(.requiredBodyAdded, pointer, "\(before.name) now needs a body", before.spot, body.spot)
        case (let body?, nil):
            report(.bodyRemoved, pointer, "\(before.name) no longer reads a body", body.spot, after.spot)
        case (let theirs?, let mine?):
            if !theirs.isRequired, mine.isRequired {
                report(.bodyBecameRequired, pointer, "\(before.name) now needs a body", theirs.spot, mine.spot)
            }
            for media in theirs.media {
                guard let now = Self.covering(media.type, in: mine.media) else {
                    report(
                        .requestMediaTypeRemoved, "\(pointer)/content/\(JSONPointer.escaped(media.type))",
                        "\(before.name) no longer takes `\(shortened(media.type))`", media.spot, mine.spot)
                    continue
                }
                schemas.compare(
                    media.schema, now.schema, isRequest: true,
                    pointer: "\(pointer)/content/\(JSONPointer.escaped(media.type))/schema",
                    shown: "\(before.name), the request's body", spots: (media.spot, now.spot))
            }
        }
    }

    private mutating func compareResponses(_ before: OpenAPIModel.Operation, _ after: OpenAPIModel.Operation) {
        for response in before.responses {
            let pointer = "\(before.pointer)/responses/\(response.status)"
            guard let now = Self.covering(response.status, in: after.responses) else {
                // An error that is no longer spoken of may be given all the same.
                report(
                    .responseStatusRemoved, severity: response.isSuccess ? .error : .warning, pointer,
                    "\(before.name) no longer answers with \(response.status)", response.spot, after.spot)
                continue
            }
            let shown = "\(before.name), response \(response.status)"
            compareHeaders(response, now, pointer: pointer, shown: shown)
            compareContent(response, now, pointer: pointer, shown: shown)
        }
    }

    private mutating func compareContent(
        _ before: OpenAPIModel.Response, _ after: OpenAPIModel.Response, pointer: String, shown: String
    ) {
        if !before.media.isEmpty, after.media.isEmpty {
            return report(.responseBodyRemoved, pointer, "\(shown) no longer has a body", before.spot, after.spot)
        }
        for media in before.media {
            let here = "\(pointer)/content/\(JSONPointer.escaped(media.type))"
            guard let now = Self.covering(media.type, in: after.media) else {
                report(
                    .responseMediaTypeRemoved, here, "\(shown) is no longer sent as `\(shortened(media.type))`",
                    media.spot,
                    after.spot)
                continue
            }
            schemas.compare(
                media.schema, now.schema, isRequest: false, pointer: here + "/schema", shown: shown,
                spots: (media.spot, now.spot))
        }
    }

    private mutating func compareHeaders(
        _ before: OpenAPIModel.Response, _ after: OpenAPIModel.Response, pointer: String, shown: String
    ) {
        for header in before.headers {
            let here = "\(pointer)/headers/\(JSONPointer.escaped(header.name))"
            let name = "\(shown), the header `\(shortened(header.name))`"
            guard let now = after.headers.first(where: { $0.name == header.name }) else {
                report(
                    .responseHeaderRemoved, severity: header.isRequired ? .error : .warning, here,
                    "\(name) is no longer sent", header.spot, after.spot)
                continue
            }
            if header.isRequired, !now.isRequired {
                report(
                    .responseHeaderBecameOptional, here, "\(name) was always sent and may now be missing", header.spot,
                    now.spot)
            }
            schemas.compare(
                header.schema, now.schema, isRequest: false, pointer: here + "/schema", shown: name,
                spots: (header.spot, now.spot))
        }
    }

    /// The media type itself, or a range that it is in.
    private static func covering(_ type: String, in media: [OpenAPIModel.Media]) -> OpenAPIModel.Media? {
        if let same = media.first(where: { $0.type == type }) { return same }
        let range = type.prefix { $0 != "/" } + "/*"
        return media.first { $0.type == range } ?? media.first { $0.type == "*/*" }
    }

    /// The status itself, or what the document says of all that are like it (`2XX`), or of the rest.
    private static func covering(_ status: String, in responses: [OpenAPIModel.Response]) -> OpenAPIModel.Response? {
        responses.first { $0.status == status } ?? responses.first { $0.status == status.prefix(1) + "XX" }
            ?? responses.first { $0.status == "default" }
    }

    private mutating func report(
        _ rule: ContractRule, severity: ContractChange.Severity? = nil, _ path: String, _ message: String,
        _ theirs: Spot,
        _ mine: Spot
    ) {
        guard found.count <= ContractLimits.changes else { return }
        found.append(
            ContractChange(
                rule: rule, severity: severity, path: path, message: message, mine: mine.place(in: files.new),
                theirs: theirs.place(in: files.old)))
    }
}
