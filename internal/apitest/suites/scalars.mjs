// What the custom scalars are in TypeScript. One that is missing here fails the code generator and the Relay compiler by name.
export const scalars = {
  Cursor: 'string',
  Date: 'string',
  DateTime: 'string',
  TimeZone: 'string',
};
