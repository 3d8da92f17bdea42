// The route table: everything that can be called. It feeds the application, its validation and its documents.
import type { Route } from './route.ts'

export const routes: readonly Route[] = []
