// Stack columns are written before they are read: zeroing them would cost more than some operations that use them, and
// a caller that inlines one would zero it on every call.
[module: System.Runtime.CompilerServices.SkipLocalsInit]
