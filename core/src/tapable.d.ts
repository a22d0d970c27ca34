// tapable's index loads eleven kinds of hooks where three are used; its sub-paths have no types of their own.
declare module 'tapable/lib/AsyncSeriesHook.js' {
  export { AsyncSeriesHook as default } from 'tapable';
}
declare module 'tapable/lib/AsyncSeriesBailHook.js' {
  export { AsyncSeriesBailHook as default } from 'tapable';
}
declare module 'tapable/lib/AsyncSeriesWaterfallHook.js' {
  export { AsyncSeriesWaterfallHook as default } from 'tapable';
}
