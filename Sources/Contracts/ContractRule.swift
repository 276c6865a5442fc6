/// Every kind of change that a comparison tells, with its usual severity, its direction and the way out.
///
/// The judgement follows oasdiff for OpenAPI and `buf breaking` (category `WIRE_JSON`, with the deletions of `FILE`) for
/// proto; where it differs, docs/internals/adr/0032-contracts-as-callers-read-them.md says why.
package enum ContractRule: String, Sendable, CaseIterable {
    case kindChanged = "contract_kind_changed"
    case comparisonIncomplete = "comparison_incomplete"

    // OpenAPI
    case pathRemoved = "path_removed"
    case operationRemoved = "operation_removed"
    case basePathChanged = "base_path_changed"
    case securityRequired = "security_required"
    case referenceChanged = "reference_changed"

    case parameterRemoved = "request_parameter_removed"
    case requiredParameterAdded = "required_parameter_added"
    case parameterBecameRequired = "request_parameter_became_required"
    case parameterStyleChanged = "request_parameter_style_changed"
    case requiredBodyAdded = "required_request_body_added"
    case bodyBecameRequired = "request_body_became_required"
    case bodyRemoved = "request_body_removed"
    case requestMediaTypeRemoved = "request_media_type_removed"
    case requestTypeChanged = "request_type_changed"
    case requestFormatChanged = "request_format_changed"
    case requestNotNullable = "request_became_not_nullable"
    case requestEnumValueRemoved = "request_enum_value_removed"
    case requestBecameEnum = "request_became_enum"
    case requestPropertyRemoved = "request_property_removed"
    case requiredRequestPropertyAdded = "required_request_property_added"
    case requestPropertyBecameRequired = "request_property_became_required"
    case requestClosed = "request_additional_properties_forbidden"
    case requestLimitTightened = "request_limit_tightened"
    case requestPatternChanged = "request_pattern_changed"
    case requestAlternativeRemoved = "request_alternative_removed"

    case responseStatusRemoved = "response_status_removed"
    case responseMediaTypeRemoved = "response_media_type_removed"
    case responseBodyRemoved = "response_body_removed"
    case responseHeaderRemoved = "response_header_removed"
    case responseHeaderBecameOptional = "response_header_became_optional"
    case responseTypeChanged = "response_type_changed"
    case responseFormatChanged = "response_format_changed"
    case responseNullable = "response_became_nullable"
    case responseEnumValueRemoved = "response_enum_value_removed"
    case responseEnumValueAdded = "response_enum_value_added"
    case responseEnumOpened = "response_enum_opened"
    case responsePropertyRemoved = "response_property_removed"
    case responsePropertyBecameOptional = "response_property_became_optional"
    case responseLimitLoosened = "response_limit_loosened"
    case responseAlternativeAdded = "response_alternative_added"

    // proto
    case protoSyntaxChanged = "proto_syntax_changed"
    case protoPackageChanged = "proto_package_changed"
    case protoMessageRemoved = "proto_message_removed"
    case protoEnumRemoved = "proto_enum_removed"
    case protoServiceRemoved = "proto_service_removed"
    case protoMethodRemoved = "proto_method_removed"
    case protoMethodRequestChanged = "proto_method_request_changed"
    case protoMethodResponseChanged = "proto_method_response_changed"
    case protoMethodStreamingChanged = "proto_method_streaming_changed"
    case protoFieldRemoved = "proto_field_removed"
    case protoFieldRenamed = "proto_field_renamed"
    case protoFieldNumberChanged = "proto_field_number_changed"
    case protoFieldTypeChanged = "proto_field_type_changed"
    case protoFieldLabelChanged = "proto_field_label_changed"
    case protoFieldOneofChanged = "proto_field_oneof_changed"
    case protoFieldJSONNameChanged = "proto_field_json_name_changed"
    case protoRequiredFieldAdded = "proto_required_field_added"
    case protoReservedRemoved = "proto_reserved_removed"
    case protoEnumValueRemoved = "proto_enum_value_removed"
    case protoEnumValueRenamed = "proto_enum_value_renamed"
    case protoEnumValueNumberChanged = "proto_enum_value_number_changed"
}

extension ContractRule {
    /// Single changes may be milder: a removed request property is an error only where others are forbidden.
    package var severity: ContractChange.Severity {
        switch self {
        case .comparisonIncomplete, .referenceChanged, .parameterRemoved, .bodyRemoved, .requestPropertyRemoved,
            .requestPatternChanged, .responseEnumValueAdded, .responseEnumOpened, .protoSyntaxChanged,
            .protoReservedRemoved:
            .warning
        default: .error
        }
    }

    package var direction: ContractChange.Direction {
        switch self {
        case .parameterRemoved, .requiredParameterAdded, .parameterBecameRequired, .parameterStyleChanged,
            .requiredBodyAdded, .bodyBecameRequired, .bodyRemoved, .requestMediaTypeRemoved, .requestTypeChanged,
            .requestFormatChanged, .requestNotNullable, .requestEnumValueRemoved, .requestBecameEnum,
            .requestPropertyRemoved, .requiredRequestPropertyAdded, .requestPropertyBecameRequired, .requestClosed,
            .requestLimitTightened, .requestPatternChanged, .requestAlternativeRemoved, .securityRequired,
            .protoMethodRequestChanged:
            .request
        case .responseStatusRemoved, .responseMediaTypeRemoved, .responseBodyRemoved, .responseHeaderRemoved,
            .responseHeaderBecameOptional, .responseTypeChanged, .responseFormatChanged, .responseNullable,
            .responseEnumValueRemoved, .responseEnumValueAdded, .responseEnumOpened, .responsePropertyRemoved,
            .responsePropertyBecameOptional, .responseLimitLoosened, .responseAlternativeAdded,
            .protoMethodResponseChanged:
            .response
        default: .both
        }
    }

    package var wayOut: String {
        switch self {
        case .kindChanged: "publish the new contract as another service, or keep the old document"
        case .comparisonIncomplete: "compare smaller documents, or look at the rest by hand"
        case .pathRemoved, .operationRemoved, .protoServiceRemoved, .protoMethodRemoved:
            "keep the old one, marked as deprecated, until nobody calls it"
        case .basePathChanged: "serve the old path too"
        case .securityRequired: "let callers without credentials in until all of them have some"
        case .referenceChanged: "see that the other file says the same; references to other files are not followed"
        case .parameterRemoved, .bodyRemoved, .requestPropertyRemoved:
            "accept it and ignore it until nobody sends it"
        case .requiredParameterAdded, .requiredBodyAdded, .requiredRequestPropertyAdded:
            "make it optional, with a default for those who do not send it"
        case .parameterBecameRequired, .bodyBecameRequired, .requestPropertyBecameRequired:
            "leave it optional, with a default for those who do not send it"
        case .parameterStyleChanged: "add a parameter of another name for the new style"
        case .requestMediaTypeRemoved, .responseMediaTypeRemoved: "keep the old media type beside the new one"
        case .requestTypeChanged, .requestFormatChanged: "accept the old type too, or add a field of another name"
        case .requestNotNullable: "accept null and treat it as absent"
        case .requestEnumValueRemoved, .requestBecameEnum: "accept the old values too"
        case .requestClosed: "allow additional properties and ignore them"
        case .requestLimitTightened, .requestPatternChanged: "accept what was accepted before"
        case .requestAlternativeRemoved: "keep accepting the old alternative"
        case .responseStatusRemoved: "answer with the old status in the old cases"
        case .responseBodyRemoved, .responsePropertyRemoved, .responseHeaderRemoved:
            "keep sending it, marked as deprecated, until nobody reads it"
        case .responseTypeChanged, .responseFormatChanged:
            "keep the type, and send the new one in a field of another name"
        case .responseNullable: "keep sending a value that is not null"
        case .responseEnumValueRemoved: "keep the value, or see that no caller waits for it"
        case .responseEnumValueAdded, .responseEnumOpened: "see that callers can take a value that they do not know"
        case .responsePropertyBecameOptional, .responseHeaderBecameOptional: "keep sending it always"
        case .responseLimitLoosened: "keep what is sent within the old limit"
        case .responseAlternativeAdded: "send the new alternative only to those who ask for it"
        case .protoSyntaxChanged: "see that defaults and presence mean the same in both"
        case .protoPackageChanged: "keep the package, or serve both for a while"
        case .protoMessageRemoved, .protoEnumRemoved: "keep the old type until nothing uses it"
        case .protoMethodRequestChanged, .protoMethodResponseChanged, .protoMethodStreamingChanged:
            "add a method of another name"
        case .protoFieldRemoved, .protoEnumValueRemoved:
            "write `reserved` with its number and its name, when nobody uses it any more"
        case .protoFieldRenamed, .protoFieldNumberChanged, .protoEnumValueRenamed, .protoEnumValueNumberChanged:
            "keep the old one, and add the new one with a number of its own"
        case .protoFieldTypeChanged, .protoFieldLabelChanged, .protoFieldOneofChanged:
            "keep the field, and add another one with a number of its own"
        case .protoFieldJSONNameChanged: "keep the old `json_name`"
        case .protoRequiredFieldAdded: "make it optional"
        case .protoReservedRemoved: "keep what was reserved"
        }
    }
}
