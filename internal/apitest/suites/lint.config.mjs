import graphql from '@graphql-eslint/eslint-plugin';

// valueTypes are the objects without an identity of their own: a list of them is not a list of Nodes.
const valueTypes = [
  'PageInfo',
  'UserError',
  'ReactionGroup',
  'SpaceTag',
  'DiffRun',
  'Support',
  'Money',
  'Requirement',
  'FormQuestion',
  'Answer',
  'MissingPart',
  'Account',
  'RateLimit',
  'DraftVersion',
  'ConnectionSuggestion',
  'MentionCandidate',
  'Topic',
  'Block',
  'NewMemberLimits',
  'NotificationPreference',
  'SpaceExport',
  'Criterion',
  'SavedFilter',
  'CallStatistics',
  'ApplicationStateCount',
  'OrganizationKindCount',
  'SubmissionDayCount',
  'BulkActionFailure',
  'ApplicationFile',
  'SubmittedAnswer',
  'AnswerVersion',
  'TeamEntitlement',
  'NotificationGroup',
  'CallPlaces',
  'EnrollmentFee',
  'DecisionRelease',
  'ReviewScore',
  'ReviewProgress',
  'ReviewerProgress',
  'ReviewCalibration',
  'ReviewerCalibration',
  'ApplicationCalibration',
  'AssignmentOutcome',
  'ReviewPlan',
  'ReviewPair',
  'ReviewerLoad',
  'UnfilledApplication',
  // Parts of one application or call: they are told apart in it, by member or by number.
  'ApplicationEditor',
  'FormVersion',
  'Submission',
  'Extension',
  // Events: their cursor is their identity, and only in their stream.
  'PostCreated',
  'PostEdited',
  'PostDeleted',
  'ReactionsChanged',
  'PollChanged',
  'PostMoved',
  'PostHidden',
  'PostRestored',
  'ThreadChanged',
  'ThreadActivity',
  'NotificationCreated',
  'NotificationsRead',
  'NoticeCreated',
  'CallEvent',
  'ReadStateChanged',
  'DraftChanged',
  'BookmarkChanged',
  'ModerationQueueChanged',
  'OwnPostModerated',
  'FlagResolved',
  'MemberWarned',
  'AnswerSaved',
  'EditorAdded',
  'EditorRemoved',
  'OwnerChanged',
  'ApplicationSubmitted',
  'ApplicationChanged',
  'BulkActionEvent',
  'DocumentAdded',
  'DocumentRemoved',
  'SignerRequestChanged',
  'InformationRequested',
  'ExtensionGranted',
];

const rule = (name, options) => ({ [`@graphql-eslint/${name}`]: options });

// config is ESLint's: the presets, and each difference from them with its reason.
export function config(schemaFiles, operationsFolder) {
  const relative = (path) => path.replace(/^\//, '');
  const graphQLConfig = { schema: schemaFiles, documents: `${operationsFolder}/*.graphql` };
  return [
    {
      files: ['**/*.graphql', '**/*.graphqls'],
      linterOptions: { reportUnusedDisableDirectives: 'error' },
      languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig } },
      plugins: { '@graphql-eslint': graphql },
    },
    {
      files: schemaFiles.map(relative),
      rules: {
        ...graphql.configs['flat/schema-recommended'].rules,
        ...graphql.configs['flat/schema-relay'].rules,
        // Stricter than the preset: everything in the SDL is described.
        ...rule('require-description', ['error', {
          types: true, rootField: true, DirectiveDefinition: true, FieldDefinition: true, InputValueDefinition: true, EnumValueDefinition: true,
        }]),
        // The rule's own way to name what has no identity.
        ...rule('strict-id-in-types', ['error', { exceptions: { suffixes: ['Connection', 'Edge', 'Payload'], types: valueTypes } }]),
        // By default no list may hold anything but edges. The contract itself has nodes(ids:): [Node]! and errors: [UserError!]!.
        ...rule('relay-edge-types', ['error', { listTypeCanWrapOnlyEdgeType: false }]),
      },
    },
    {
      files: [`${relative(operationsFolder)}/*.graphql`],
      rules: {
        ...graphql.configs['flat/operations-recommended'].rules,
        // The server's own limit. The directory page is deeper than the preset's 7.
        ...rule('selection-set-depth', ['error', { maxDepth: 15 }]),
      },
    },
    {
      // Documents that front ends send today and that are not ours to change: they read an affiliation's and a revision's
      // fields without its id.
      files: ['thread-list', 'edit-post'].map((name) => `${relative(operationsFolder)}/${name}.graphql`),
      rules: rule('require-selections', 'off'),
    },
  ];
}
