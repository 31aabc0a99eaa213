#!/bin/sh
{{header}}
{{include "part-roles" .}}
